/** A message or record as Kafka's schema files describe it. */
export interface MessageDefinition {
  readonly name: string
  readonly type: string
  readonly apiKey?: number
  readonly module?: string
  readonly validVersions: string
  readonly flexibleVersions?: string
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly FieldDefinition[]
  readonly commonStructs?: readonly StructDefinition[]
}

interface StructDefinition {
  readonly name: string
  readonly fields: readonly FieldDefinition[]
}

interface FieldDefinition {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly ignorable?: boolean
  readonly flexibleVersions?: string
  readonly fields?: readonly FieldDefinition[]
}

const PRIMITIVE_TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  string: 'string',
  uuid: 'string',
  bytes: 'Buffer',
  records: 'Buffer',
}
const LONG_MAX = '9223372036854775807'

/** The interfaces and tables of the messages that share one generated file. */
export class MessageFile {
  private readonly messages: readonly MessageDefinition[]
  private readonly uses = new Map<string, number>()

  constructor(messages: readonly MessageDefinition[]) {
    this.messages = messages
    for (const message of messages) {
      this.countName(message.name)
      for (const struct of structsOf(message)) this.countName(struct.name)
    }
  }

  text(): string {
    return this.messages.map((message) => this.messageText(message)).join('')
  }

  private countName(name: string): void {
    this.uses.set(name, (this.uses.get(name) ?? 0) + 1)
  }

  /** A struct keeps its name when nothing else in the file has it. */
  private structName(message: MessageDefinition, name: string): string {
    return this.uses.get(name) === 1 ? name : `${message.name}${name}`
  }

  private messageText(message: MessageDefinition): string {
    const interfaces = [
      { name: message.name, fields: message.fields },
      ...structsOf(message).map((struct) => ({
        name: this.structName(message, struct.name),
        fields: struct.fields,
      })),
    ].map((struct) => this.interfaceText(message, struct))
    const shared = inOrderOfUse(message.commonStructs ?? []).map(
      (struct) =>
        `
const ${this.tableName(message, struct.name)}: readonly Field[] = [
${this.fieldLines(message, struct.fields, '  ')}
]
`,
    )
    return `${interfaces.join('')}${shared.join('')}${this.tableText(message)}`
  }

  private interfaceText(message: MessageDefinition, struct: StructDefinition): string {
    if (struct.fields.length === 0) return `\nexport type ${struct.name} = Record<string, never>\n`
    const lines = struct.fields.map(
      (field) => `  ${camelCase(field.name)}: ${this.fieldType(message, field)}`,
    )
    return `\nexport interface ${struct.name} {\n${lines.join('\n')}\n}\n`
  }

  private fieldType(message: MessageDefinition, field: FieldDefinition): string {
    const element = elementType(field)
    const base = isStruct(element)
      ? this.structName(message, element)
      : (PRIMITIVE_TYPES[element] ?? 'number')
    const type = field.type.startsWith('[]') ? `${base}[]` : base
    return field.nullableVersions === undefined ? type : `${type} | null`
  }

  private tableName(message: MessageDefinition, struct: string): string {
    return `${camelCase(this.structName(message, struct))}Fields`
  }

  private tableText(message: MessageDefinition): string {
    const [min, max] = message.validVersions.split('-')
    const apiKey = message.apiKey === undefined ? '' : `  apiKey: ${message.apiKey},\n`
    const fields =
      message.fields.length === 0
        ? '[]'
        : `[\n${this.fieldLines(message, message.fields, '    ')}\n  ]`
    return `
export const ${camelCase(message.name)} = defineMessage<${message.name}>({
  name: '${message.name}',
${apiKey}  validVersions: [${min}, ${max ?? min}],
  flexibleFrom: ${flexibleFrom(message)},
  fields: ${fields},
})
`
  }

  private fieldLines(
    message: MessageDefinition,
    fields: readonly FieldDefinition[],
    indent: string,
  ): string {
    return fields.map((field) => this.fieldLine(message, field, indent)).join('\n')
  }

  private fieldLine(message: MessageDefinition, field: FieldDefinition, indent: string): string {
    const parts = fieldAttributes(field)
    if (isStruct(elementType(field))) {
      parts.push(
        field.fields === undefined
          ? `fields: ${this.tableName(message, elementType(field))}`
          : `fields: [\n${this.fieldLines(message, field.fields, `${indent}  `)}\n${indent}]`,
      )
    }
    return `${indent}{ ${parts.join(', ')} },`
  }
}

/** Kafka's names begin with a capital, some records' do not; ours never do. */
export function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

export function kebabCase(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()
}

/** First flexible version as source text. */
export function flexibleFrom(message: MessageDefinition | undefined): string {
  return /^(\d+)\+$/.exec(message?.flexibleVersions ?? 'none')?.[1] ?? 'Infinity'
}

function fieldAttributes(field: FieldDefinition): string[] {
  const parts = [`name: '${camelCase(field.name)}'`, `type: '${field.type}'`]
  const versions = field.versions ?? field.taggedVersions ?? '0+'
  if (versions !== '0+') parts.push(`versions: '${versions}'`)
  if (field.nullableVersions !== undefined) parts.push(`nullable: '${field.nullableVersions}'`)
  if (field.taggedVersions !== undefined) {
    parts.push(`tagged: '${field.taggedVersions}'`, `tag: ${field.tag}`)
  }
  const value = defaultText(field)
  if (value !== null) parts.push(`default: ${value}`)
  if (field.ignorable === true) parts.push('ignorable: true')
  if (field.flexibleVersions === 'none') parts.push('neverFlexible: true')
  return parts
}

/**
 * The source text of a default that is not the zero value of its type. The word "null" makes null the
 * default; a bare null in the file is no default at all, as in Kafka's own generator.
 */
function defaultText(field: FieldDefinition): string | null {
  const value = field.default
  if (value === undefined || value === null || value === '') return null
  if (value === 'null') return 'null'
  if (field.type === 'string') return `'${value}'`
  if (field.type === 'bool') return String(value) === 'true' ? 'true' : null
  const number = Number(value)
  if (!Number.isFinite(number)) throw new Error(`${field.name} has the default ${value}`)
  if (value === LONG_MAX || value === '0x7fffffffffffffff') return 'Infinity'
  return number === 0 ? null : String(number)
}

function elementType(field: FieldDefinition): string {
  return field.type.replace('[]', '')
}

function isStruct(type: string): boolean {
  return /^[A-Z]/.test(type)
}

/** All structs that a message declares: inside its fields and shared. */
function structsOf(message: MessageDefinition): StructDefinition[] {
  const common = message.commonStructs ?? []
  return [
    ...structsIn(message.fields),
    ...common.flatMap((struct) => [struct, ...structsIn(struct.fields)]),
  ]
}

/** The structs, each after those that its fields refer to. */
function inOrderOfUse(structs: readonly StructDefinition[]): readonly StructDefinition[] {
  const ordered = new Set<StructDefinition>()
  const visit = (struct: StructDefinition): void => {
    if (ordered.has(struct)) return
    for (const type of typesIn(struct.fields)) {
      const used = structs.find((other) => other.name === type && other !== struct)
      if (used !== undefined) visit(used)
    }
    ordered.add(struct)
  }
  structs.forEach(visit)
  return [...ordered]
}

function typesIn(fields: readonly FieldDefinition[]): string[] {
  return fields.flatMap((field) => [elementType(field), ...typesIn(field.fields ?? [])])
}

function structsIn(fields: readonly FieldDefinition[]): StructDefinition[] {
  return fields.flatMap((field) =>
    field.fields === undefined
      ? []
      : [{ name: elementType(field), fields: field.fields }, ...structsIn(field.fields)],
  )
}
