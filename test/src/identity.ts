// The link of a mote that has nothing to send, on a Pico W where the setting `picow` says so; test/firmware/picow.test.ts waits for it.
import { setPicoW } from "../../src/platform/board"
import { readSetting } from "../../src/platform/flash"
import { startUplink } from "../../src/uplink/uplink"

if (await readSetting("picow", false)) setPicoW()
await startUplink()
