// An AWS Lambda function that publishes the progress of jobs, here from a queue (SQS): each message becomes an update. Its
// environment has MERCURE_URL, the stack's output PublishUrl, and MERCURE_JWT_SECRET.
import { SignJWT } from 'jose';

const secret = new TextEncoder().encode(process.env.MERCURE_JWT_SECRET);

export async function handler({ Records }) {
  const batchItemFailures = [];
  for (const { messageId, body } of Records) {
    const topic = `https://example.com/jobs/${JSON.parse(body).job}`;
    const token = await new SignJWT({ mercure: { publish: [topic] } })
      .setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1m').sign(secret);
    // The id is the message's own: should the queue deliver it twice, readers can tell.
    const update = new URLSearchParams({ topic, data: body, id: `urn:uuid:${messageId}` });
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await fetch(process.env.MERCURE_URL, { method: 'POST', headers, body: update });
    if (answer.ok) continue;
    console.error(`the hub says ${answer.status}: ${await answer.text()}`);
    batchItemFailures.push({ itemIdentifier: messageId });
  }
  return { batchItemFailures }; // the queue delivers these again
}
