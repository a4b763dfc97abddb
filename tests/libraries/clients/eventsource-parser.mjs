import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ended, event, headers, opened, url } from './report.mjs';

try {
  const response = await fetch(url, { headers: { Accept: 'text/event-stream', ...headers } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  opened();
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const each of events) event(each);
  ended('end of the stream');
} catch (error) {
  ended(error);
}
