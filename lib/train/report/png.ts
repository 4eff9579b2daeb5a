// Encodes grey, RGB or RGBA pixels as a PNG (RFC 2083) of 8 bits a channel, for the pictures of a report.
import { crc32, deflateSync } from 'node:zlib';
import { ShapeError } from '../../errors.js';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const colourType = { 1: 0, 3: 2, 4: 6 } as const; // of a header, by channels: greyscale, truecolour, the same with opacity

/** A greyscale picture: `width * height` bytes in row-major order, 0 black, 255 white. */
export interface GreyImage {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** A picture whose `pixels` are [height, width, channels] in row-major order. */
export interface PixelImage extends GreyImage {
  /** 1 (default): grey. 3: red, green, blue. 4: with opacity. */
  channels?: 1 | 3 | 4;
}

/** The bytes of a PNG file. Throws ShapeError where the size does not fit the pixels. */
export function encodePng({ pixels, width, height, channels = 1 }: PixelImage): Buffer {
  const needed = width * height * channels;
  if (width < 1 || height < 1 || pixels.length !== needed) {
    throw new ShapeError(`A picture of ${width}x${height} needs ${needed} pixels, got ${pixels.length}.`, {
      width,
      height,
      pixels: pixels.length,
    });
  }
  return Buffer.concat([
    signature,
    chunk('IHDR', header(width, height, channels)),
    chunk('IDAT', deflateSync(filteredRows(pixels, width * channels, height), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The picture as a `data:` address, to embed in SVG or HTML. */
export function pngDataUri(image: PixelImage): string {
  return `data:image/png;base64,${encodePng(image).toString('base64')}`;
}

/** Every pixel as a square of `factor` x `factor`: enlarged pictures stay crisp in every viewer. */
export function enlarge({ pixels, width, height }: GreyImage, factor: number): GreyImage {
  const large = new Uint8Array(width * height * factor * factor);
  for (let y = 0; y < height * factor; y++) {
    const row = Math.floor(y / factor) * width;
    for (let x = 0; x < width * factor; x++) {
      large[y * width * factor + x] = pixels[row + Math.floor(x / factor)] as number;
    }
  }
  return { pixels: large, width: width * factor, height: height * factor };
}

function header(width: number, height: number, channels: 1 | 3 | 4): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(width, 0);
  bytes.writeUInt32BE(height, 4);
  bytes[8] = 8; // bits a channel
  bytes[9] = colourType[channels];
  return bytes;
}

/** Each row behind a filter byte; 0 stands for no filter. */
function filteredRows(pixels: Uint8Array, length: number, height: number): Buffer {
  const rows = Buffer.alloc(height * (length + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * length, (y + 1) * length), y * (length + 1) + 1);
  return rows;
}

/** Length, type, data and the check sum over type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}
