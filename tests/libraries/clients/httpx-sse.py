import httpx
from httpx_sse import connect_sse

from report import ended, event, headers, opened, url

try:
    with httpx.Client() as client, connect_sse(client, "GET", url, headers=headers) as source:
        source.response.raise_for_status()
        opened()
        for each in source.iter_sse():
            event(each.id, each.data)
    ended("end of the stream")
except Exception as error:
    ended(repr(error))
