/** Which files are pictures, told by their names; what they are is told by their bytes, when they are checked. */

/** Endings of pictures that are read. */
const IMAGE_ENDINGS = ['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'webp', 'bmp', 'gif'] as const;
/** Endings of pictures that are not: they come along, so that the check says what to do about each. */
const UNREAD_ENDINGS = ['heic', 'heif', 'avif', 'tif', 'tiff', 'svg', 'psd', 'jxl', 'jp2', 'dng', 'cr2', 'nef', 'arw'] as const;
/** Files of one upload: pictures with a caption beside each, and some to spare. */
export const IMAGE_FILES_MAX = 25_000;
/** UTF-8 bytes of a file's name with its folders. */
export const IMAGE_NAME_BYTES_MAX = 300;

const PICTURE = new RegExp(`\\.(${[...IMAGE_ENDINGS, ...UNREAD_ENDINGS].join('|')})$`, 'i');
const BESIDE = /(^|\/)metadata\.(csv|jsonl)$|\.(txt|caption)$/i;

export const isPictureName = (name: string): boolean => PICTURE.test(name);

/** Captions and lists of them, which mean something beside pictures. */
export const isBesidePictures = (name: string): boolean => BESIDE.test(name);

/** Files that nothing but a dataset of pictures has: where one stands first, all that follow belong to it. */
export const beginsImageSet = (name: string): boolean => isPictureName(name) || /\.caption$|(^|\/)metadata\.csv$/i.test(name);

/** A name for pictures that came as single files: that of the folder in which the first lies. */
export function imageSetName(first: string): string {
  const folder = first.split('/').slice(0, -1)[0] ?? '';
  return `${folder === '' ? 'pictures' : folder}.zip`;
}
