// One person's journey, told by Segment's SDK for Node: node journey.mjs HOST KEY USER MOMENTS
// MOMENTS is a JSON list of four RFC 3339 times.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, userId, moments] = process.argv.slice(2);
const [knew, read, viewed, applied] = JSON.parse(moments).map((text) => new Date(text));
const context = {
  consent: { categoryPreferences: { measure: true, profile: true, contact: true } },
};
const analytics = new Analytics({ host, writeKey, flushAt: 3, maxRetries: 2 });
analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});

const traits = { name: "Noor V.", profession: "monteur", region: "Noord" };
analytics.identify({ userId, traits, context, timestamp: knew });
const story = { content_id: "story-vol-net", content_type: "story", title: "Het net is vol" };
analytics.page({ userId, name: story.title, properties: story, context, timestamp: read });
const vacancy = { content_id: "vacancy-noord", content_type: "vacancy" };
for (const [event, timestamp] of [
  ["vacancy_viewed", viewed],
  ["application_started", applied],
]) {
  analytics.track({ userId, event, properties: vacancy, context, timestamp });
}
await analytics.closeAndFlush({ timeout: 20_000 });
