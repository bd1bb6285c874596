// Raspberry Pi Pico W: both sensors on GP4 (SDA) and GP5 (SCL).
import { pins } from "@dsboard/pico_w"
import { i2c } from "@devicescript/i2c"
import { configureHardware } from "@devicescript/servers"
import { startMote } from "./mote"

configureHardware({ scanI2C: false, i2c: { pinSDA: pins.GP4, pinSCL: pins.GP5, kHz: 400 } })
await startMote(i2c)
