// Wearable on an Adafruit QT Py ESP32-C3, defined in boards/vitalmote_qtpy_esp32c3.board.json.
import { gpio } from "@devicescript/core"
import { standby } from "@devicescript/runtime"
import { configureHardware, startPotentiometer } from "@devicescript/servers"
import { boardI2C } from "./drivers/board-i2c"
import { startMote } from "./mote"

// The board definition includes the bus; repeating it here lets the program run on a stock runtime, too.
configureHardware({ i2c: { pinSDA: gpio(5), pinSCL: gpio(6), kHz: 100 } })
await startMote(boardI2C, startPotentiometer({ pin: gpio(1), samplingItv: 1000 }), standby)
