#!/bin/sh
# Stands for a child that hangs: it neither reads what it is given nor says anything.
exec sleep 60
