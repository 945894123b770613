"""Reads weights out of a .rten file, in the order in which its operators use them."""

import struct
from pathlib import Path

import numpy as np
from rten_convert import schema_generated as schema

FLOAT_TENSOR = schema.ConstantDataType.Float32


def _constant(node, raw, data_at):
    """The array of a constant node; small ones are stored inside the node."""
    shape = tuple(node.ShapeAsNumpy()) if node.ShapeLength() else ()
    if node.DataOffset() is not None:
        if node.Dtype() != FLOAT_TENSOR:
            return None
        return np.frombuffer(raw, "<f4", int(np.prod(shape)), data_at + node.DataOffset()).reshape(shape)
    if node.DataType() != schema.ConstantData.FloatData:
        return None
    inner = schema.FloatData()
    table = node.Data()
    inner.Init(table.Bytes, table.Pos)
    return inner.DataAsNumpy().astype("<f4").reshape(shape)


def layers(path):
    """[(operator's name, [its float constants])] for each operator that has any."""
    raw = Path(path).read_bytes()
    assert raw[:4] == b"RTEN", f"{path} is not a rten file"
    model_at, model_size, data_at = struct.unpack("<QQQ", raw[8:32])
    graph = schema.Model.GetRootAs(raw[model_at:model_at + model_size], 0).Graph()
    arrays, out = {}, []
    for i in range(graph.NodesLength()):
        node, table = graph.Nodes(i), graph.Nodes(i).Data()
        if node.DataType() == schema.NodeKind.ConstantNode:
            constant = schema.ConstantNode()
            constant.Init(table.Bytes, table.Pos)
            arrays[i] = _constant(constant, raw, data_at)
        elif node.DataType() == schema.NodeKind.OperatorNode:
            operator = schema.OperatorNode()
            operator.Init(table.Bytes, table.Pos)
            used = [arrays[int(k)] for k in operator.InputsAsNumpy() if arrays.get(int(k)) is not None]
            if used:
                out.append(((node.Name() or b"").decode(), used))
    return out
