/** An array of zeros without spare capacity; `push` would leave a quarter. */
export function zeros(length: number): number[] {
    const values = new Array<number>(length)
    for (let i = 0; i < length; i++) values[i] = 0
    return values
}
