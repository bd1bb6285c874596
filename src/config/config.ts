/*
 * The configuration in force.
 *
 * Starts with the defaults. `downlink.ts` writes it as a whole; all higher rooms read it.
 */

/** How a mote spends its power between measurements. */
export const enum PowerMode {
    /** Measures and is reachable all the time. */
    continuous = 0,
    /** Sensors rest between measurements; the link stays. */
    interval = 1,
    /** As interval, and the chip itself sleeps where it can (`standby`). */
    standby = 2,
}

/** The settings' numbers in refusals; those that they have in docs/configuration.md. */
export const enum Setting {
    hrLow = 1,
    hrHigh = 2,
    tempLow = 3,
    tempHigh = 4,
    spo2Low = 5,
    delay = 6,
    sample = 7,
    report = 8,
    power = 9,
    every = 10,
    quality = 11,
    led = 12,
    trial = 13,
}

/** What can be set over the air, in the units in which it travels; docs/configuration.md has the ranges. */
export class Config {
    /** Of the configuration in force; 0: none has ever been applied. */
    version = 0
    /** `coap+tcp://…`, `coaps+tcp://…`, `mqtt://…`, `mqtts://…`; empty: as the setting `router` says. */
    router = ""
    /** Seconds between readings that are kept. */
    sample = 2
    /** Seconds that a reading may wait for others before it is sent. */
    report = 10
    /** Alarm limits, beat/min, °C and percent. */
    hrLow = 40
    hrHigh = 130
    tempLow = 35
    tempHigh = 38.5
    spo2Low = 90
    /** Seconds that a value has to be beyond a limit, or a sensor gone, before it is an alarm. */
    delay = 10
    /** Signal quality in percent below which a heart rate is not reported. */
    quality = 0
    /** The most that an LED may draw, mA. */
    led = 50
    power = PowerMode.continuous
    /** Seconds from one measurement to the next, unless power is continuous. */
    every = 300
    /** Seconds within which a receipt has to come, or what could cut the mote off is taken back. */
    trial = 120
}

/** The configuration in force. */
export const config = new Config()
