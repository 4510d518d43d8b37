// Shopify's own library, asked from a test: a JSON list of {secret, body (base64), headers?} comes in. With headers it says
// whether the library takes the webhook; without, what the library signs it with.
import "@shopify/shopify-api/adapters/node";
import { shopifyApi } from "@shopify/shopify-api";
import { createSHA256HMAC, HashFormat } from "@shopify/shopify-api/runtime";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const answers = [];
for (const { secret, body, headers } of JSON.parse(Buffer.concat(chunks))) {
  const rawBody = Buffer.from(body, "base64").toString("utf8");
  if (!headers) {
    answers.push(await createSHA256HMAC(secret, rawBody, HashFormat.Base64));
    continue;
  }
  const shopify = shopifyApi({
    apiKey: "client", apiSecretKey: secret, hostName: "test", apiVersion: "2026-10", isEmbeddedApp: false,
    logger: { log: () => {} },
  });
  const request = { method: "POST", url: "/hooks/shopify", headers };
  const found = await shopify.webhooks.validate({ rawBody, rawRequest: request, rawResponse: {} });
  answers.push({ valid: found.valid, reason: found.reason ?? null, topic: found.topic ?? null });
}
process.stdout.write(JSON.stringify(answers));
