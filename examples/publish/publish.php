<?php
// Publishes from PHP, without a package: php publish.php TOPIC DATA
[, $topic, $data] = $argv;
$hub = getenv('MERCURE_URL') ?: 'http://localhost:8787/.well-known/mercure';
$secret = getenv('MERCURE_JWT_SECRET') ?: '!ChangeThisMercureHubJWTSecretKey!';

$base64url = fn (string $bytes): string => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
$claims = ['mercure' => ['publish' => [$topic]], 'exp' => time() + 60];
$signed = $base64url(json_encode(['alg' => 'HS256'])) . '.' . $base64url(json_encode($claims));
$token = $signed . '.' . $base64url(hash_hmac('sha256', $signed, $secret, true));

$answer = file_get_contents($hub, false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Bearer $token",
    'content' => http_build_query(['topic' => $topic, 'data' => $data]),
    'protocol_version' => '1.1',
    'ignore_errors' => true, // so that the hub can say what is wrong
]]));
if (!str_contains($http_response_header[0] ?? '', ' 200 ')) {
    fwrite(STDERR, $answer ?: 'The hub does not answer.');
    exit(1);
}
echo $answer; // the update's id
