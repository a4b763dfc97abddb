import { createEventSource } from 'eventsource-client';
import { event, failed, headers, opened, url } from './report.mjs';

createEventSource({ url, headers, onConnect: opened, onMessage: event, onScheduleReconnect: failed });
