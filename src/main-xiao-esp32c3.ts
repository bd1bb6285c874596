// Wearable on a Seeed Studio XIAO ESP32C3, defined in boards/vitalmote_xiao_esp32c3.board.json.
import { gpio } from "@devicescript/core"
import { i2c } from "@devicescript/i2c"
import { configureHardware } from "@devicescript/servers"
import { startMote } from "./mote"

// The definition has the bus, too; saying it here lets the program run on a stock runtime as well.
configureHardware({ i2c: { pinSDA: gpio(6), pinSCL: gpio(7), kHz: 100 } })
await startMote(i2c)
