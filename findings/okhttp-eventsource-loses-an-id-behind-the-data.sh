#!/usr/bin/env bash
# A Java client forgets ids that stand behind the data, in a mode that hands out data as it comes.
#
# com.launchdarkly:okhttp-eventsource 4.3.0 (Maven Central). By the HTML standard (section 9.2.6) the
# order of an event's fields means nothing. With `streamEventData(true)`, which is off by default, an
# event is handed over when its first `data:` line arrives, and the `id:` behind it is never seen: the
# client reconnects without a last event ID. `expectFields("id")` makes it wait for the id, of the
# first event; `expectFields("event", "id")` of each.
#
# Seen:
#   by default, id last: resumes after 1
#   streamEventData, id first: resumes after 1
#   streamEventData, id last: resumes after null
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for jar in com/launchdarkly/okhttp-eventsource/4.3.0/okhttp-eventsource-4.3.0 \
  com/launchdarkly/launchdarkly-logging/1.1.1/launchdarkly-logging-1.1.1 \
  com/squareup/okhttp3/okhttp/4.12.0/okhttp-4.12.0 \
  com/squareup/okio/okio-jvm/3.9.1/okio-jvm-3.9.1 \
  org/jetbrains/kotlin/kotlin-stdlib/2.0.21/kotlin-stdlib-2.0.21; do
  curl -sSfO "https://repo1.maven.org/maven2/$jar.jar"
done

cat > Main.java <<'JAVA'
import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.MessageEvent;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

class Main {
  public static void main(String[] arguments) throws Exception {
    show("by default, id last", false, "data: x\nid: 1\n\n");
    show("streamEventData, id first", true, "id: 1\ndata: x\n\n");
    show("streamEventData, id last", true, "data: x\nid: 1\n\n");
    System.exit(0);
  }

  static void show(String what, boolean streams, String event) throws Exception {
    var cursors = new LinkedBlockingQueue<String>();
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      cursors.add(String.valueOf(exchange.getRequestHeaders().getFirst("Last-Event-ID")));
      exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write(event.getBytes());
      exchange.close();
    });
    server.start();
    var uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    var source = new EventSource.Builder(ConnectStrategy.http(uri))
        .streamEventData(streams)
        .retryDelay(10, TimeUnit.MILLISECONDS)
        .errorStrategy(com.launchdarkly.eventsource.ErrorStrategy.alwaysContinue())
        .build();
    var reader = new Thread(() -> {
      for (var any : source.anyEvents()) {
        if (any instanceof MessageEvent message) {
          message.getData();
          message.close();
        }
      }
    });
    reader.setDaemon(true);
    reader.start();
    cursors.take();
    System.out.println(what + ": resumes after " + cursors.take());
    source.close();
    server.stop(0);
  }
}
JAVA

output=$(java -cp "$folder/*" Main.java 2>/dev/null)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
by default, id last: resumes after 1
streamEventData, id first: resumes after 1
streamEventData, id last: resumes after null
SEEN
