import { ParquetFile } from './parquet-file.ts';

/** `meta/tasks.parquet`: a pandas frame with the task's text as its index, which is how LeRobot looks it up. */
export function tasksTable(texts: readonly string[]): Uint8Array {
  const column = (name: string, pandas: string, numpy: string) => ({
    name,
    field_name: name,
    pandas_type: pandas,
    numpy_type: numpy,
    metadata: null,
  });
  const pandas = {
    index_columns: ['task'],
    column_indexes: [
      {
        name: null,
        field_name: null,
        pandas_type: 'unicode',
        numpy_type: 'object',
        metadata: { encoding: 'UTF-8' },
      },
    ],
    columns: [column('task_index', 'int64', 'int64'), column('task', 'unicode', 'object')],
    creator: { library: 'kinescribe', version: '1' },
    pandas_version: '2.2.0',
  };
  const file = new ParquetFile(
    [
      { kind: 'tensor', name: 'task_index', dtype: 'int64', shape: [] },
      { kind: 'text', name: 'task' },
    ],
    new Map([['pandas', JSON.stringify(pandas)]]),
  );
  file.append(texts.length, [BigInt64Array.from(texts, (_, i) => BigInt(i)), texts]);
  return file.encode();
}
