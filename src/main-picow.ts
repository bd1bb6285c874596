// Wearable on a Raspberry Pi Pico W, defined in boards/vitalmote_picow.board.json.
import "./platform/start"
import { gpio } from "@devicescript/core"
import { configureHardware, startPotentiometer } from "@devicescript/servers"
import { boardI2C } from "./drivers/board-i2c"
import { startMote } from "./mote"
import { setPicoW } from "./platform/board"
import { startWaker } from "./platform/waker"
import { keepWifi } from "./platform/wifi"

setPicoW()
startWaker()
keepWifi()
// The board definition includes the bus; repeating it here lets the program run on a stock runtime, too.
configureHardware({ i2c: { pinSDA: gpio(4), pinSCL: gpio(5), kHz: 100 } })
await startMote(boardI2C, startPotentiometer({ pin: gpio(26), samplingItv: 1000 }))
