import { writeFile } from 'node:fs/promises';
import {
  Bool,
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int16,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Uint8,
  Uint16,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import * as parquet from 'parquet-wasm';

/** A column whose every row is an array of numbers of one shape, row-major; [] is a plain number. */
export interface TensorColumn {
  readonly kind: 'tensor';
  readonly name: string;
  readonly dtype: 'float32' | 'float64' | 'int64' | 'int16' | 'uint16' | 'uint8' | 'bool';
  readonly shape: readonly number[];
}

/** A column of text, or of lists of text. */
export interface TextColumn {
  readonly kind: 'text' | 'texts';
  readonly name: string;
}

export type Column = TensorColumn | TextColumn;

/** The rows of one column: tensors flattened one after the other, booleans as 0 and 1. */
export type ColumnRows = TensorRows | TextRows;
export type TensorRows = Float32Array | Float64Array | BigInt64Array | Int16Array | Uint16Array | Uint8Array;
type TextRows = readonly (string | readonly string[])[];

/** Builds one Parquet file in memory: Snappy, one row group for each append(). */
export class ParquetFile {
  readonly #columns: readonly Column[];
  readonly #schema: Schema;
  readonly #metadata: ReadonlyMap<string, string>;
  readonly #batches: RecordBatch[] = [];

  constructor(columns: readonly Column[], metadata: ReadonlyMap<string, string> = new Map()) {
    this.#columns = columns;
    this.#metadata = metadata;
    this.#schema = arrowSchema(columns, metadata);
  }

  /** @param values one per column, in their order; not copied, must not change until encode(). */
  append(rows: number, values: readonly ColumnRows[]): void {
    this.#batches.push(recordBatch(this.#schema, this.#columns, { rows, values }));
  }

  encode(): Uint8Array {
    const table = wasmTable(new Table(this.#schema, this.#batches));
    return parquet.writeParquet(table, writerProperties(this.#metadata));
  }
}

/** Rows that become one row group. */
export interface RowGroup {
  readonly rows: number;
  /** One per column, in their order. */
  readonly values: readonly ColumnRows[];
}

/** Writes one Parquet file, the same as {@link ParquetFile} builds, of which one row group is in memory. */
export class ParquetFileWriter {
  readonly #columns: readonly Column[];
  readonly #schema: Schema;
  readonly #batches: WritableStreamDefaultWriter<parquet.RecordBatch>;
  readonly #written: Promise<void>;
  #bytes = 0;

  /** @param path in a folder that exists. */
  constructor(path: string, columns: readonly Column[]) {
    this.#columns = columns;
    this.#schema = arrowSchema(columns);
    const { readable, writable } = new TransformStream<parquet.RecordBatch>();
    this.#batches = writable.getWriter();
    this.#written = parquet
      .transformParquetStream(readable, writerProperties())
      .then((encoded) => writeFile(path, encoded));
    // Whoever appends or closes is told.
    this.#written.catch(() => {});
  }

  /** Bytes of all rows, not encoded. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(group: RowGroup): Promise<void> {
    const batch = recordBatch(this.#schema, this.#columns, group);
    this.#bytes += batch.data.children.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const table = wasmTable(new Table(this.#schema, [batch]));
    for (const each of table.recordBatches()) {
      // A full disk ends the stream without taking what waits.
      await Promise.race([this.#batches.write(each), this.#written]);
    }
    table.free();
  }

  async close(): Promise<void> {
    await Promise.race([this.#batches.close(), this.#written]);
    await this.#written;
  }

  /** Lets go of the file, which stays half written. */
  async abort(): Promise<void> {
    await Promise.allSettled([this.#batches.abort(), this.#written]);
  }
}

function arrowSchema(columns: readonly Column[], metadata: ReadonlyMap<string, string> = new Map()): Schema {
  const fields = columns.map((column) => new Field(column.name, arrowType(column), true));
  return new Schema(fields, new Map(metadata));
}

function recordBatch(schema: Schema, columns: readonly Column[], { rows, values }: RowGroup): RecordBatch {
  const children = columns.map((column, i) => arrowData(column, rows, values[i]!));
  const struct = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children });
  return new RecordBatch(schema, struct);
}

function wasmTable(table: Table): parquet.Table {
  return parquet.Table.fromIPCStream(tableToIPC(table, 'stream'));
}

function writerProperties(metadata: ReadonlyMap<string, string> = new Map()): parquet.WriterProperties {
  return (
    new parquet.WriterPropertiesBuilder()
      .setCompression(parquet.Compression.SNAPPY)
      .setKeyValueMetadata(new Map(metadata))
      // A row group ends as soon as it holds more than this: with every batch that is written.
      .setMaxRowGroupBytes(1)
      .setCreatedBy('kinescribe')
      .build()
  );
}

function arrowType(column: Column): DataType {
  switch (column.kind) {
    case 'tensor':
      return column.shape.reduceRight<DataType>(listType, new SCALARS[column.dtype]());
    case 'text':
      return new Utf8();
    case 'texts':
      return listOfText;
    default:
      throw column satisfies never;
  }
}

const SCALARS = {
  ...{ float32: Float32, float64: Float64, int64: Int64 },
  ...{ int16: Int16, uint16: Uint16, uint8: Uint8, bool: Bool },
};
const listOfText = new List(new Field('element', new Utf8(), true));

function listType(element: DataType, length: number): FixedSizeList {
  return new FixedSizeList(length, new Field('element', element, true));
}

function arrowData(column: Column, rows: number, values: ColumnRows): Data {
  const data = isTensor(values) ? tensorData(column, values) : textData(column, values);
  if (data.length !== rows)
    throw new RangeError(`column "${column.name}" has ${data.length} rows, not ${rows}`);
  return data;
}

function tensorData(column: Column, values: TensorRows): Data {
  if (column.kind !== 'tensor') throw new TypeError(`column "${column.name}" takes text`);
  return column.shape.reduceRight(
    (child, length) =>
      makeData({
        type: listType(child.type, length),
        length: child.length / length,
        nullCount: 0,
        child,
      }),
    numberData(column.dtype, values),
  );
}

function numberData(dtype: TensorColumn['dtype'], values: TensorRows): Data {
  const common = { length: values.length, nullCount: 0 };
  if (values instanceof Float32Array) return makeData({ type: new Float32(), ...common, data: values });
  if (values instanceof Float64Array) return makeData({ type: new Float64(), ...common, data: values });
  if (values instanceof BigInt64Array) return makeData({ type: new Int64(), ...common, data: values });
  if (values instanceof Int16Array) return makeData({ type: new Int16(), ...common, data: values });
  if (values instanceof Uint16Array) return makeData({ type: new Uint16(), ...common, data: values });
  if (dtype === 'uint8') return makeData({ type: new Uint8(), ...common, data: values });
  return makeData({ type: new Bool(), ...common, data: packBits(values) });
}

/** Eight booleans a byte, the first in the lowest bit. */
function packBits(values: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  for (const [i, value] of values.entries()) if (value) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

function textData(column: Column, values: TextRows): Data {
  if (column.kind === 'tensor') throw new TypeError(`column "${column.name}" takes numbers`);
  return vectorFromArray([...values], arrowType(column)).data[0]!;
}

function isTensor(values: ColumnRows): values is TensorRows {
  return ArrayBuffer.isView(values);
}
