from requests_sse import EventSource

from report import ended, event, failed, headers, opened, url

try:
    with EventSource(url, headers=headers, on_open=opened, on_error=failed) as source:
        for each in source:
            event(each.last_event_id, each.data)
    ended("end of the stream")
except Exception as error:
    ended(repr(error))
