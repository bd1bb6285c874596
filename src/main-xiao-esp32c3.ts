// Wearable on a Seeed Studio XIAO ESP32C3, defined in boards/vitalmote_xiao_esp32c3.board.json.
import { gpio } from "@devicescript/core"
import { standby } from "@devicescript/runtime"
import { configureHardware, startPotentiometer } from "@devicescript/servers"
import { boardI2C } from "./drivers/board-i2c"
import { startMote } from "./mote"

// The board definition includes the bus; repeating it here lets the program run on a stock runtime, too.
configureHardware({ i2c: { pinSDA: gpio(6), pinSCL: gpio(7), kHz: 100 } })
await startMote(boardI2C, startPotentiometer({ pin: gpio(3), samplingItv: 1000 }), standby)
