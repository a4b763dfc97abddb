// Subscribes in Node.js: node subscribe.mjs TOPIC. It comes back by itself, and resumes where it was.
import { EventSource } from 'eventsource';

const url = new URL(process.env.MERCURE_URL ?? 'http://localhost:8787/.well-known/mercure');
url.searchParams.append('match', process.argv[2]);

const source = new EventSource(url);
source.onopen = () => console.error('subscribed');
source.onmessage = ({ data, lastEventId }) => console.log(lastEventId, data);
source.onerror = ({ code, message }) => {
  // A refusal is final; anything else is tried again.
  if (source.readyState !== EventSource.CLOSED) return;
  console.error(`the hub says ${code}: ${message}`);
  process.exitCode = 1;
};
