/** Types whose messages are pictures that the page can show. */
export function isPicture(type: string): boolean {
  return /^(sensor_msgs|foxglove_msgs)\/(msg\/)?(Image|CompressedImage|RawImage)$|^foxglove\.(CompressedImage|RawImage)$/.test(
    type,
  );
}

/** Bytes per pixel of raw pictures, and the places of red, green and blue in them. */
export const RAW_ENCODINGS: Readonly<
  Record<string, readonly [bytes: number, red: number, green: number, blue: number]>
> = {
  rgb8: [3, 0, 1, 2],
  bgr8: [3, 2, 1, 0],
  rgba8: [4, 0, 1, 2],
  bgra8: [4, 2, 1, 0],
  mono8: [1, 0, 0, 0],
  '8UC1': [1, 0, 0, 0],
  '8UC3': [3, 2, 1, 0],
};
