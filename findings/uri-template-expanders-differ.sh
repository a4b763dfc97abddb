#!/usr/bin/env bash
# Three expanders of URI templates, and where their topics are none that RFC 6570 expands to.
#
# npm url-template 3.1.1: an empty list is written as an empty value (section 2.3: it is undefined).
# npm uri-templates 0.2.0: `{+id}` encodes a triplet again (section 3.2.3 keeps it), and `{id}` leaves
# ' ( ) * as they are (section 3.2.2 encodes them).
# com.damnhandy:handy-uri-templates 2.1.8 (Maven Central): in `{;keys*}` the variable's name and its
# asterisk stand for a key whose value is empty (section 3.2.7: `;empty`), and a list loses its empty
# members.
#
# Seen:
#   url-template {?q} of []: ?q=
#   uri-templates {+id} of a%2Fb: a%252Fb
#   uri-templates {id} of O'Brien (*): O'Brien%20(*)
#   handy {;keys*} of a=1, empty=: ;a=1;empty=keys*
#   handy {/list*} of a, , b: /a/b
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund url-template@3.1.1 uri-templates@0.2.0 >/dev/null
for jar in com/damnhandy/handy-uri-templates/2.1.8/handy-uri-templates-2.1.8 \
  joda-time/joda-time/2.10.2/joda-time-2.10.2; do
  curl -sSfO "https://repo1.maven.org/maven2/$jar.jar"
done

cat > seen.mjs <<'JS'
import { parseTemplate } from "url-template";
import template from "uri-templates";
console.log("url-template {?q} of []:", parseTemplate("{?q}").expand({ q: [] }));
console.log("uri-templates {+id} of a%2Fb:", template("{+id}").fill({ id: "a%2Fb" }));
console.log("uri-templates {id} of O'Brien (*):", template("{id}").fill({ id: "O'Brien (*)" }));
JS
cat > Main.java <<'JAVA'
import com.damnhandy.uri.template.UriTemplate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

class Main {
  public static void main(String[] arguments) throws Exception {
    var keys = new LinkedHashMap<String, Object>();
    keys.put("a", "1");
    keys.put("empty", "");
    System.out.println("handy {;keys*} of a=1, empty=: "
        + UriTemplate.fromTemplate("{;keys*}").set("keys", keys).expand());
    System.out.println("handy {/list*} of a, , b: "
        + UriTemplate.fromTemplate("{/list*}").set("list", new ArrayList<>(List.of("a", "", "b"))).expand());
  }
}
JAVA
output=$(node seen.mjs; java -cp "$folder/*" Main.java)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
url-template {?q} of []: ?q=
uri-templates {+id} of a%2Fb: a%252Fb
uri-templates {id} of O'Brien (*): O'Brien%20(*)
handy {;keys*} of a=1, empty=: ;a=1;empty=keys*
handy {/list*} of a, , b: /a/b
SEEN
