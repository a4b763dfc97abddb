package main

import (
	"fmt"
	"net/http"
	"time"

	"cinnabar/libraries/report"

	"github.com/r3labs/sse/v2"
)

func main() {
	client := sse.NewClient(report.URL, sse.ClientMaxBufferSize(3<<20))
	if token, has := report.Token(); has {
		client.Headers["Authorization"] = "Bearer " + token
	}
	// OnConnect is for the first stream alone.
	client.ResponseValidator = func(_ *sse.Client, response *http.Response) error {
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		report.Opened()
		return nil
	}
	client.ReconnectNotify = func(error, time.Duration) { report.Failed() }
	report.Ended(client.SubscribeRaw(func(event *sse.Event) {
		// It makes an event of a comment.
		if len(event.Data) > 0 {
			report.Event(string(event.ID), string(event.Data))
		}
	}))
}
