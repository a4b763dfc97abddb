<?php
// Publishes with Symfony's component, without the framework: php symfony.php TOPIC DATA
// (composer require symfony/mercure, or on Debian and Ubuntu, apt-get install php-symfony-mercure.)
use Symfony\Component\Mercure\Hub;
use Symfony\Component\Mercure\Jwt\CallableTokenProvider;
use Symfony\Component\Mercure\Update;

$composer = __DIR__ . '/vendor/autoload.php';
require is_file($composer) ? $composer : 'Symfony/Component/Mercure/autoload.php';

[, $topic, $data] = $argv;
$url = getenv('MERCURE_URL') ?: 'http://localhost:8787/.well-known/mercure';
$secret = getenv('MERCURE_JWT_SECRET') ?: '!ChangeThisMercureHubJWTSecretKey!';

// In an application, the bundle signs tokens with MERCURE_JWT_SECRET by itself, and HubInterface is injected.
$token = new CallableTokenProvider(function () use ($topic, $secret): string {
    $base64url = fn (string $bytes): string => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $claims = ['mercure' => ['publish' => [$topic]], 'exp' => time() + 60];
    $signed = $base64url(json_encode(['alg' => 'HS256'])) . '.' . $base64url(json_encode($claims));
    return $signed . '.' . $base64url(hash_hmac('sha256', $signed, $secret, true));
});
try {
    echo (new Hub($url, $token))->publish(new Update($topic, $data)); // the update's id
} catch (RuntimeException $error) {
    // What the hub says is in the answer of the exception before.
    $cause = $error->getPrevious();
    fwrite(STDERR, $cause instanceof Symfony\Contracts\HttpClient\Exception\HttpExceptionInterface
        ? $cause->getResponse()->getContent(false) : $error->getMessage());
    exit(1);
}
