import { ended, event, failed, headersOfAPage, opened, url } from './report.mjs';

// It is made for pages: it looks for their global objects.
globalThis.window = globalThis;
globalThis.document = Object.assign(new EventTarget(), { hidden: false });
const { default: library } = await import('@microsoft/fetch-event-source');

library
  .fetchEventSource(url, {
    headers: headersOfAPage,
    async onopen({ status }) {
      if (status !== 200) throw new Error(`status ${status}`);
      opened();
    },
    onmessage: event,
    onerror: failed,
  })
  .then(() => ended('resolved'), ended);
