// Seeed Studio XIAO ESP32C3: both sensors on D4 (SDA) and D5 (SCL).
import { pins } from "@dsboard/seeed_xiao_esp32c3"
import { i2c } from "@devicescript/i2c"
import { configureHardware } from "@devicescript/servers"
import { startMote } from "./mote"

configureHardware({ scanI2C: false, i2c: { pinSDA: pins.SDA_D4, pinSCL: pins.SCL_D5, kHz: 400 } })
await startMote(i2c)
