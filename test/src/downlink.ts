// Does with the configuration what it is told over its socket: a letter, and what goes with it; answers with a line.
import { sleep } from "@devicescript/core"
import { config } from "../../src/config/config"
import { Downlink } from "../../src/config/downlink"
import { readIdentity } from "../../src/link/identity"
import { TcpSocket } from "../../src/link/socket"
import { Signal } from "../../src/signal"

const downlink = new Downlink(await readIdentity())
await downlink.load()

async function answer(order: string, sealed: Buffer): Promise<string> {
    if (order === "c") return (await downlink.configure(sealed)) || "applied"
    if (order === "i") return (await downlink.command(sealed, "identify")) || "done"
    if (order === "r") await downlink.receipted()
    if (order === "t") return (await downlink.tick()) ? "moved" : "stays"
    if (order === "g") return JSON.stringify(config)
    if (order === "n") {
        const note = downlink.note()
        if (note) downlink.noted()
        if (!note) return "nothing"
        const { version, refused, reason } = note
        // As JSON the VM writes no texts beyond ASCII.
        return refused === undefined ? `${version}` : `${version} ${refused} ${reason}`
    }
    return ""
}

let question: Buffer
const socket = new TcpSocket(new Signal(), bytes => {
    question = bytes
})
for (;;) {
    if (!socket.isOpen()) await socket.open("test.invalid", 1, 1000)
    if (question) {
        const asked = question
        question = undefined
        const said = await answer(asked.slice(0, 1).toString(), asked.slice(1))
        socket.writeNow(Buffer.from(said + "\n"))
    }
    await sleep(10)
}
