import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.ErrorStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.FaultEvent;
import com.launchdarkly.eventsource.MessageEvent;
import com.launchdarkly.eventsource.StartedEvent;
import java.net.URI;
import java.util.concurrent.TimeUnit;

/** What a client is told, and how it tells the suite what its application sees: see the README of tests/libraries. */
class OkhttpEventsource {
    public static void main(String[] arguments) {
        var http = ConnectStrategy.http(URI.create(arguments[0])).readTimeout(60, TimeUnit.SECONDS);
        if (arguments.length > 1) {
            http = http.header("Authorization", "Bearer " + arguments[1]);
        }
        var source = new EventSource.Builder(http).errorStrategy(ErrorStrategy.alwaysContinue()).build();
        for (var event : source.anyEvents()) {
            if (event instanceof StartedEvent) {
                System.out.println("\"opened\"");
            } else if (event instanceof MessageEvent message) {
                System.out.printf(
                    "{\"event\": {\"id\": %s, \"data\": %s}}%n", json(message.getLastEventId()), json(message.getData()));
            } else if (event instanceof FaultEvent) {
                System.out.println("\"failed\"");
            }
        }
        System.out.println("{\"ended\": \"no more events\"}");
    }

    private static String json(String text) {
        var plain = text == null ? "" : text;
        return '"' + plain.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
