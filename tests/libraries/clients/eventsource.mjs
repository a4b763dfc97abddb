import { EventSource } from 'eventsource';
import { ended, event, failed, headers, opened, url } from './report.mjs';

const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
});
source.onopen = opened;
source.onmessage = ({ lastEventId, data }) => event({ id: lastEventId, data });
source.onerror = ({ message }) =>
  source.readyState === EventSource.CLOSED ? ended(message) : failed();
