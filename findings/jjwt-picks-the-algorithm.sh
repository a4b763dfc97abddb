#!/usr/bin/env bash
# jjwt chooses a token's algorithm by the length of the key.
#
# io.jsonwebtoken:jjwt 0.13.0 (Maven Central). `signWith(key)` writes HS256 for a secret of 32 to 47
# bytes, HS384 from 48 and HS512 from 64; of RSA keys, RS256, RS384 and RS512 for 2,048, 3,072 and
# 4,096 bits. So `openssl rand -hex 32`, whose text is 64 characters, makes HS512 tokens, which a
# server that expects HS256 refuses. `signWith(key, Jwts.SIG.HS256)` says it outright.
#
# Seen:
#   32 bytes: HS256
#   48 bytes: HS384
#   64 bytes: HS512
#   64 bytes, told: HS256
#   RSA of 2048 bits: RS256
#   RSA of 3072 bits: RS384
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for jar in io/jsonwebtoken/jjwt-api/0.13.0/jjwt-api-0.13.0 \
  io/jsonwebtoken/jjwt-impl/0.13.0/jjwt-impl-0.13.0 \
  io/jsonwebtoken/jjwt-gson/0.13.0/jjwt-gson-0.13.0 \
  com/google/code/gson/gson/2.11.0/gson-2.11.0; do
  curl -sSfO "https://repo1.maven.org/maven2/$jar.jar"
done

cat > Main.java <<'JAVA'
import io.jsonwebtoken.JwtBuilder;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Keys;
import java.security.KeyPairGenerator;
import java.util.Base64;

class Main {
  public static void main(String[] arguments) throws Exception {
    for (int length : new int[] {32, 48, 64}) {
      var key = Keys.hmacShaKeyFor("k".repeat(length).getBytes());
      show(length + " bytes", Jwts.builder().subject("x").signWith(key));
    }
    var key = Keys.hmacShaKeyFor("k".repeat(64).getBytes());
    show("64 bytes, told", Jwts.builder().subject("x").signWith(key, Jwts.SIG.HS256));
    for (int bits : new int[] {2048, 3072}) {
      var generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(bits);
      var pair = generator.generateKeyPair();
      show("RSA of " + bits + " bits", Jwts.builder().subject("x").signWith(pair.getPrivate()));
    }
  }

  static void show(String what, JwtBuilder builder) {
    var header = new String(Base64.getUrlDecoder().decode(builder.compact().split("\\.")[0]));
    System.out.println(what + ": " + header.replaceAll(".*\"alg\":\"([^\"]*)\".*", "$1"));
  }
}
JAVA

output=$(java -cp "$folder/*" Main.java)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
32 bytes: HS256
48 bytes: HS384
64 bytes: HS512
64 bytes, told: HS256
RSA of 2048 bits: RS256
RSA of 3072 bits: RS384
SEEN
