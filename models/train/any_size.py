"""Makes a detection model of fixed page size accept pages of any size (multiples of 32).

    python any_size.py text-detection-1600x1152.rten text-detection.rten

The network is convolutional throughout and resizes by factors, so only the declared sizes of its
input and output stand in the way.
"""

import struct
import sys
from pathlib import Path

import flatbuffers
from rten_convert import schema_generated as schema

HEADER = struct.Struct("<4sIQQQ")


def any_size(raw):
    """The bytes of the model with symbolic height and width."""
    magic, version, model_at, model_size, data_at = HEADER.unpack(raw[:HEADER.size])
    assert magic == b"RTEN" and model_at == HEADER.size
    model = schema.ModelT.InitFromPackedBuf(raw[model_at:model_at + model_size], 0)
    for node in [*model.graph.inputs, *model.graph.outputs]:
        for dimension, name in zip(model.graph.nodes[node].data.shape[2:], ("height", "width")):
            dimension.name, dimension.value = name, 0
    builder = flatbuffers.Builder(model_size)
    builder.Finish(model.Pack(builder), file_identifier=b"RTEN")
    packed = bytes(builder.Output())
    # Weights keep their alignment of 64 bytes.
    new_data_at = -(-(HEADER.size + len(packed)) // 64) * 64
    header = HEADER.pack(magic, version, HEADER.size, len(packed), new_data_at)
    padding = bytes(new_data_at - HEADER.size - len(packed))
    return header + packed + padding + raw[data_at:]


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(any_size(Path(sys.argv[1]).read_bytes()))
