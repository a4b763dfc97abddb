// Shows a resource, and follows it, knowing its address alone: node follow.mjs http://localhost:3000/books/1
import { EventSource } from 'eventsource';

const resource = process.argv[2];
const answer = await fetch(resource);
console.log(await answer.text());

const links = answer.headers.get('Link') ?? '';
const mercure = links.match(/<([^>]*)>[^,]*;\s*rel="?mercure"?[^,]*/);
if (!mercure) throw new Error('this resource has no hub');
// In earnest, ask first whether you trust that host: a token that is sent there is given to it.
const hub = new URL(mercure[1], resource);
const self = links.match(/<([^>]*)>[^,]*;\s*rel="?self"?/);
hub.searchParams.append('match', self ? self[1] : resource);
const last = mercure[0].match(/last-event-id="([^"]*)"/);
if (last) hub.searchParams.append('last_event_id', last[1]);

new EventSource(hub).onmessage = ({ data }) => console.log(data);
