import * as ds from "@devicescript/core"
import { onReport } from "./packets"

/*
 * Brings the WiFi of a Pico W's runtime back, which by itself does not come back to an access point that was away (fault 10 of
 * docs/upstream.md): it tries to join at once, and after a failure for ever believes that it is still trying. Asked to reconnect while it
 * neither is connected nor tries, it looks for the access point first the next time that it loses it. Where it is stuck nevertheless,
 * only a reset helps: after a minute of looks it sees the access point, and has not joined.
 *
 * Started by `main-picow.ts`; nobody else reads its state.
 */

/** Of Jacdac's WiFi service: the command, and events; of a look, how many networks there are, and how many that it knows. */
const reconnect = 0x82
const gotIp = 0x01
const scanComplete = 0x80
const knownOffset = 2
/** Without a connection the runtime looks every 10 s. */
const mostLooks = 6

/** That saw the access point, without a connection since. */
let looks = 0

export function keepWifi(): void {
    const wifi = new ds.WifiLink()
    const ask = async () => await wifi.sendCommand(reconnect)
    onReport(wifi, async packet => {
        if (packet.eventCode === gotIp) looks = 0
        if (packet.eventCode !== scanComplete) return
        if (!packet.payload[knownOffset]) {
            looks = 0
            await ask()
        } else if (++looks > mostLooks) ds.reboot()
    })
    ask.start()
}
