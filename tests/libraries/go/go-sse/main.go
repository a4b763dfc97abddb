package main

import (
	"net/http"
	"time"

	"cinnabar/libraries/report"

	"github.com/tmaxmax/go-sse"
)

func main() {
	request, err := http.NewRequest(http.MethodGet, report.URL, http.NoBody)
	if err != nil {
		panic(err)
	}
	if token, has := report.Token(); has {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := sse.Client{
		ResponseValidator: func(response *http.Response) error {
			err := sse.DefaultValidator(response)
			if err == nil {
				report.Opened()
			}
			return err
		},
		OnRetry: func(error, time.Duration) { report.Failed() },
	}
	connection := client.NewConnection(request)
	connection.Buffer(nil, 3<<20)
	connection.SubscribeMessages(func(event sse.Event) { report.Event(event.LastEventID, event.Data) })
	report.Ended(connection.Connect())
}
