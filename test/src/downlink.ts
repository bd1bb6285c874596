// Does with the configuration what it is told over its socket: a letter, and what goes with it; answers with a line.
import { sleep } from "@devicescript/core"
import { config } from "../../src/config/config"
import {
    configNote,
    configNoted,
    configure,
    endTrial,
    followTrial,
    loadConfig,
    takeCommand,
} from "../../src/config/downlink"
import { startCbor } from "../../src/link/cbor"
import { readIdentity } from "../../src/link/identity"
import { setPicoW } from "../../src/platform/board"
import { readSetting } from "../../src/platform/flash"
import { isSocketOpen, openSocket, useSocket, writeSocketNow } from "../../src/link/socket"
import { Signal } from "../../src/platform/signal"

if (await readSetting("picow", false)) setPicoW()
startCbor(100)
await loadConfig((await readIdentity()).keys)

/** A refusal in hex. */
function shown(refusal: Buffer | undefined, otherwise: string): string {
    return refusal ? refusal.toString("hex") : otherwise
}

async function answer(order: string, sealed: Buffer): Promise<string> {
    if (order === "c") return shown(await configure(sealed), "applied")
    if (order === "i") return shown(await takeCommand(sealed, "identify"), "done")
    if (order === "r") await endTrial()
    if (order === "t") return (await followTrial()) ? "moved" : "stays"
    if (order === "g") return JSON.stringify(config)
    if (order === "n") {
        const note = configNote()
        if (note) configNoted()
        if (!note) return "nothing"
        const { version, refused, refusal } = note
        return refused === undefined ? `${version}` : `${version} ${refused} ${refusal.toString("hex")}`
    }
    return ""
}

let question: Buffer
useSocket(new Signal(), bytes => {
    question = bytes
})
for (;;) {
    if (!isSocketOpen()) await openSocket("test.invalid", 1, 1000)
    if (question) {
        const asked = question
        question = undefined
        const said = await answer(asked.slice(0, 1).toString(), asked.slice(1))
        writeSocketNow(Buffer.from(said + "\n"))
    }
    await sleep(10)
}
