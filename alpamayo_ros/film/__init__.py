"""The film of a drive: camera pictures, the plan over them, a map from above."""
