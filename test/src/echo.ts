// Sends "ping" over the VM's socket, prints what comes back, and how the connection ends.
import { connect } from "@devicescript/net"

try {
    const socket = await connect({ host: "echo.invalid", port: 7 })
    await socket.send("ping")
    let n = 0
    while (true) {
        const data = await socket.recv(5000)
        if (!data) break
        n += data.length
        if (n <= 16) console.log("got " + data.toString())
    }
    console.log("closed after " + n)
} catch (e) {
    console.log("failed " + (e as Error).message)
}
