import requests
import sseclient

from report import ended, event, headers, opened, url

try:
    accept = {"Accept": "text/event-stream", **headers}
    response = requests.get(url, headers=accept, stream=True)
    response.raise_for_status()
    opened()
    for each in sseclient.SSEClient(response).events():
        event(each.id, each.data)
    ended("end of the stream")
except Exception as error:
    ended(repr(error))
