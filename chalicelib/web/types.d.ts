// The shapes that several modules share, for readers and type checkers. Not served.

/** An image as the list shows it. */
export interface Item {
  id: number;
  name: string;
  /** RFC 3339, UTC */
  uploaded_at: string;
  /** The camera's wall clock, without an offset. */
  taken_at: string | null;
  format: string;
  byte_size: number;
  width: number;
  height: number;
  /** Signed; good for an hour or so. */
  thumbnail_url: string;
}

/** An image with what only its details say. */
export interface Details extends Item {
  sha256: string;
  sha512: string;
  mode: string;
  frames: number;
  taken_at_offset: string | null;
  camera: { make: string | null; model: string | null; lens: string | null } | null;
  exposure: { exposure_time: number | null; f_number: number | null; iso: number | null; focal_length: number | null } | null;
  location: { latitude: number | null; longitude: number | null; altitude: number | null } | null;
  exif: Record<string, unknown>;
  original_url: string;
  download_url: string;
  thumbnails: Record<string, string>;
}

export interface Page {
  images: Item[];
  next_cursor: string | null;
  total?: number;
}

/** What the grid keeps of every image it has heard of, however many there are. */
export interface Frame {
  id: number;
  /** Width by height. */
  aspect: number;
  /** `YYYY-MM-DD`, or empty where the order is not one of days. */
  day: string;
  /** Which page of the list it came with. */
  page: number;
}

export interface Offer {
  name: string;
  size: number;
  sha256?: string;
}

/** The file is wanted: how to post it to the store. */
export interface Ticket {
  action: "upload";
  upload_id: string;
  url: string;
  fields: Record<string, string>;
  file_field: string;
}

export type Answer =
  | Ticket
  | { action: "exists"; image_id: number }
  | { action: "reject"; error: { Code: string; Message: string } };

/** What became of an upload. */
export interface UploadState {
  status: "pending" | "processing" | "stored" | "duplicate" | "rejected" | "expired";
  image_id?: number;
  match?: "file" | "pixels";
  differs?: string[];
  error?: { Code: string; Message: string };
}
