// The shapes that the service sends (src/emotion_dj/wire.py), for tsc alone: no browser loads this.

interface Affect { valence: number; arousal: number; uncertainty: number }
interface Face { box: [number, number, number, number]; score: number; emotion: string; abstained: boolean; emotions: Record<string, number> }
interface Look { faces: Face[]; affect: Affect; model: string }
interface SetPick {
  id: number; stream: string | null; embed: string | null; cover: string; uri: string; title: string; artists: string[]; album: string; duration: number | null;
  affect: Affect; mood: string; tempo: number | null; key: number | null; mode: number | null; score: number; reason: string;
  heard?: boolean; // said in this page, not sent
}
interface Source { name: string; tracks: number; writable: boolean }
interface Device { id: string; name: string; active: boolean }
interface Music { plan: string; affect: Affect; path: Affect[]; picks: SetPick[]; notes: string[]; said?: string }
interface Card { id: string; limits: string; metrics?: Record<string, { accuracy: number; n: number }> }
interface EarCard { id: string; limits: string; metrics?: { r2_five_fold_by_track: { valence: number; arousal: number } } }
interface About { emotions: Record<string, number[]>; moods: Record<string, number[]>; plans: string[]; card: Partial<Card>; ear: Partial<EarCard> }
/** Where the listener is: exactly one of these. */
interface Wish { faces?: Face[]; emotion?: string; mood?: string; at?: string }
