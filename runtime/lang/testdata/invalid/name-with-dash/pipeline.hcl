source "file" "own-net" { path = "a.json" }

sink "stdout" "out" { from = source.file.own_net }
