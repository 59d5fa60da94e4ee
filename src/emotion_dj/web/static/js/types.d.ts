// The shapes that the service sends (src/emotion_dj/wire.py), for tsc alone: no browser loads this.

interface Affect { valence: number; arousal: number; uncertainty: number }
interface Face { box: [number, number, number, number]; score: number; emotion: string; abstained: boolean; emotions: Record<string, number> }
interface Look { faces: Face[]; affect: Affect; model: string }
/** A reason, a note or an opening: a code with its values; `text` is English, for a code without words here. */
interface Told { code: string; text?: string; [value: string]: unknown }
interface SetPick {
  id: number; stream: string | null; embed: string | null; cover: string; uri: string; title: string; artists: string[]; album: string; duration: number | null;
  affect: Affect; mood: string; tempo: number | null; key: number | null; mode: number | null; loudness: number | null; score: number; reason: string; reasons: Told[];
}
interface Source { name: string; tracks: number; writable: boolean }
interface Device { id: string; name: string; active: boolean }
interface Music { plan: string; affect: Affect; path: Affect[]; picks: SetPick[]; opening: Told; notes: Told[]; said?: string; word?: Word | null; from?: Word } // the last three are said in this page, not sent
interface Card { id: string; limits: string; metrics?: Record<string, { accuracy: number; n: number }> }
interface EarCard { id: string; limits: string; metrics?: { r2_five_fold_by_track: { valence: number; arousal: number } } }
interface About { emotions: Record<string, number[]>; moods: Record<string, number[]>; plans: string[]; read_on?: string; role?: string; invites?: boolean; card: Partial<Card>; audio_model: Partial<EarCard> }
/** What listeners say of themselves: exactly one of these. */
interface Word { emotion?: string; mood?: string; affect?: string; say?: string; like?: number }
