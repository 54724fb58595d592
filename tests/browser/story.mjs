// The story that the Manager exists for. Sophie speaks English, Lucie French (with POSTERN_STORY=fr the other way round).

import assert from "node:assert/strict";
import { addDevice, addressOf, connectDomain, domain, enrolCodes, passwords, setUp, signIn, signOut } from "./deeds.mjs";
import { ask, origin, person, play, secret } from "./manager.mjs";

const [hers, theirs] = process.env.POSTERN_STORY === "fr" ? ["fr", "en"] : ["en", "fr"];
const contact = `contact@${domain}`;

await play(async () => {
  const sophie = await person("Sophie", { language: hers });
  const lucie = await person("Lucie", { language: theirs });
  await setUp(sophie);
});
