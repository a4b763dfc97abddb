// Package report is what a client is told, and how it tells the suite what its application sees.
package report

import (
	"encoding/json"
	"fmt"
	"os"
)

// URL is the subscription's.
var URL = os.Args[1]

// Token is there for private updates.
func Token() (string, bool) {
	if len(os.Args) < 3 {
		return "", false
	}
	return os.Args[2], true
}

func say(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// Opened says that a stream is open.
func Opened() { say("opened") }

// Event says what the application is handed.
func Event(id, data string) {
	say(map[string]any{"event": map[string]string{"id": id, "data": data}})
}

// Failed says that a stream failed, or could not be opened, and the library goes on by itself.
func Failed() { say("failed") }

// Ended says that the library has stopped for good.
func Ended(reason any) { say(map[string]string{"ended": fmt.Sprint(reason)}) }
