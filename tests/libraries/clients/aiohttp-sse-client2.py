import asyncio

from aiohttp_sse_client2.client import EventSource

from report import ended, event, failed, headers, opened, url


async def main():
    try:
        async with EventSource(url, headers=headers, on_open=opened, on_error=failed) as source:
            async for each in source:
                event(each.last_event_id, each.data)
        ended("end of the stream")
    except Exception as error:
        ended(repr(error))


asyncio.run(main())
