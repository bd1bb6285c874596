// Counts its own starts in flash, prints a setting and random bytes, and restarts itself twice.
import * as ds from "@devicescript/core"
import { randomBuffer } from "@devicescript/crypto"
import { readSetting, writeSetting } from "@devicescript/settings"

const starts = (await readSetting("starts", 0)) + 1
await writeSetting("starts", starts)
console.log("start " + starts + " " + (await readSetting("name", "")))
console.log("random " + randomBuffer(4).toString("hex"))
if (starts < 3) ds.reboot()
