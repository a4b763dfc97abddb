// Added to the pages of examples: reports what they show to the test that opened them, and does what a user would, as the
// query says.
{
  const query = new URLSearchParams(location.search);
  const report = `http://localhost:SITE_PORT/report?visit=${query.get('visit')}`;
  const [navigation] = performance.getEntriesByType('navigation');
  let shown;
  let said = false;
  let reported = Promise.resolve();

  function look() {
    const text = document.body.innerText;
    if (text === shown) return;
    shown = text;
    const body = JSON.stringify({ kind: 'shown', text, reloaded: navigation.type === 'reload' });
    reported = reported.then(() => fetch(report, { method: 'POST', mode: 'no-cors', body }));
    // `?reload=TEXT`: once this is shown.
    if (query.has('reload') && navigation.type !== 'reload' && text.includes(query.get('reload'))) {
      reported.then(() => location.reload());
    }
    // `?say=WORDS&when=TEXT`: into the page's one field.
    if (query.has('say') && !said && text.includes(query.get('when'))) {
      said = true;
      document.querySelector('input').value = query.get('say');
      document.querySelector('form').requestSubmit();
    }
  }

  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}
