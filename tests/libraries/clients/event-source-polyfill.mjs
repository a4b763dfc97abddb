import polyfill from 'event-source-polyfill';
import { ended, event, failed, headersOfAPage, opened, url } from './report.mjs';

const source = new polyfill.EventSourcePolyfill(url, { headers: headersOfAPage });
source.onopen = opened;
source.onmessage = ({ lastEventId, data }) => event({ id: lastEventId, data });
source.onerror = () =>
  source.readyState === polyfill.EventSourcePolyfill.CLOSED ? ended('error') : failed();
