// Many small batches, told by Segment's SDK for Node: node outage.mjs HOST KEY USER COUNT
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, userId, count] = process.argv.slice(2);
const context = { consent: { categoryPreferences: { measure: true, profile: true } } };
const analytics = new Analytics({ host, writeKey, flushAt: 4, maxRetries: 10 });
analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
for (let n = 0; n < Number(count); n++) {
  analytics.track({ userId, event: "read", properties: { n }, context });
}
await analytics.closeAndFlush({ timeout: 60_000 });
