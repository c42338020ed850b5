/** How Java prints the values that its deserializers give (`toString`), from bytes. */
export type Deserializer = (bytes: Buffer) => string

const PACKAGE = 'org.apache.kafka.common.serialization.'
const EXPONENT_FROM = 1e7
const EXPONENT_BELOW = 1e-3
const FLOAT_DIGITS = 9

/** Null for a class that is not served. A deserializer throws for bytes that it cannot read. */
export function deserializerOf(className: string): Deserializer | null {
  if (!className.startsWith(PACKAGE)) return null
  return DESERIALIZERS.get(className.slice(PACKAGE.length)) ?? null
}

const DESERIALIZERS: ReadonlyMap<string, Deserializer> = new Map([
  ['StringDeserializer', (bytes) => bytes.toString('utf8')],
  ['ShortDeserializer', sized('ShortDeserializer', 2, (bytes) => String(bytes.readInt16BE()))],
  ['IntegerDeserializer', sized('IntegerDeserializer', 4, (bytes) => String(bytes.readInt32BE()))],
  ['LongDeserializer', sized('LongDeserializer', 8, (bytes) => String(bytes.readBigInt64BE()))],
  ['FloatDeserializer', sized('Deserializer', 4, (bytes) => floatText(bytes.readFloatBE()))],
  ['DoubleDeserializer', sized('Deserializer', 8, (bytes) => doubleText(bytes.readDoubleBE()))],
  ['BooleanDeserializer', sized('BooleanDeserializer', 1, booleanText)],
  ['UUIDDeserializer', (bytes) => bytes.toString('utf8')],
  ['BytesDeserializer', bytesText],
])

function sized(name: string, size: number, read: Deserializer): Deserializer {
  return (bytes) => {
    if (bytes.length === size) return read(bytes)
    throw new RangeError(`Size of data received by ${name} is not ${size}`)
  }
}

function booleanText(bytes: Buffer): string {
  const [byte] = bytes
  if (byte === 0 || byte === 1) return String(byte === 1)
  throw new RangeError(`Unexpected byte received by BooleanDeserializer: ${byte}`)
}

/** Printable ASCII as it is, the rest as `\x0A`. */
function bytesText(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
      return isPlain ? String.fromCharCode(byte) : `\\x${hexOf(byte)}`
    })
    .join('')
}

function hexOf(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}

/** `Double.toString`. */
export function doubleText(value: number): string {
  return decimalText(value, String(Math.abs(value)))
}

/** `Float.toString`: the shortest text that is this float again. */
export function floatText(value: number): string {
  for (let digits = 1; digits < FLOAT_DIGITS; digits += 1) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === value) return decimalText(value, String(Math.abs(shorter)))
  }
  return decimalText(value, String(Math.abs(Number(value.toPrecision(FLOAT_DIGITS)))))
}

/** `digits` is what JavaScript prints for the absolute value. */
function decimalText(value: number, digits: string): string {
  if (!Number.isFinite(value)) return String(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  const isPlain = size === 0 || (size >= EXPONENT_BELOW && size < EXPONENT_FROM)
  if (isPlain) return `${sign}${digits.includes('.') ? digits : `${digits}.0`}`
  const [mantissa = '', exponent = ''] = Number(digits).toExponential().split('e')
  return `${sign}${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}
