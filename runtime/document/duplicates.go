package document

import (
	"hash/maphash"
)

// fewMembers is up to where looking at all members beats a hash table.
const fewMembers = 32

var nameSeed = maphash.MakeSeed()

// hideDuplicates hides the members of the object that a later one of the same
// name replaces. The object's subtree is what nodes ends with.
func (d *Document) hideDuplicates(nodes []node, object uint32) {
	hide := d.hideAmongMany
	if nodes[object].count <= fewMembers {
		hide = d.hideAmongFew
	}
	if gone := hide(nodes, object+1); gone > 0 {
		nodes[object].count -= gone
		nodes[object].flags |= repair
	}
}

// hideAmongFew compares a member with those before it only if one of them has
// a name that looks alike.
func (d *Document) hideAmongFew(nodes []node, first uint32) (gone uint32) {
	var seen uint64
	for i := first; i < uint32(len(nodes)); i = nodes[i].next {
		n := &nodes[i]
		look := uint64(1) << (n.nameLen & 63)
		if n.flags&(nameEscaped|nameRepair) != 0 {
			look = ^uint64(0) // could be any name
		} else if n.nameLen > 0 {
			look = 1 << ((n.nameLen + uint32(d.raw[n.name])*5 + uint32(d.raw[n.name+n.nameLen-1])*11) & 63)
		}
		if seen&look != 0 {
			for j := first; j < i; j = nodes[j].next {
				if nodes[j].flags&hidden == 0 && d.sameName(&nodes[j], n) {
					nodes[j].flags |= hidden
					gone++
					break // of the visible ones before it, no two are alike
				}
			}
		}
		seen |= look
	}
	return gone
}

// hideAmongMany is the same with a hash table, seeded so that nobody can make
// names that collide.
func (d *Document) hideAmongMany(nodes []node, first uint32) (gone uint32) {
	size := 1
	for count := nodes[first-1].count; uint32(size) < 2*count; {
		size *= 2
	}
	if cap(d.table) < size {
		d.table = make([]uint32, size)
	}
	table := d.table[:size]
	clear(table) // 0 is a free slot: the root is nobody's member
	for i := first; i < uint32(len(nodes)); i = nodes[i].next {
		slot := d.hashName(&nodes[i]) & uint64(size-1)
		for table[slot] != 0 && !d.sameName(&nodes[table[slot]], &nodes[i]) {
			slot = (slot + 1) & uint64(size-1)
		}
		if j := table[slot]; j != 0 {
			nodes[j].flags |= hidden
			gone++
		}
		table[slot] = i
	}
	return gone
}

func (d *Document) sameName(a, b *node) bool {
	if (a.flags|b.flags)&(nameEscaped|nameRepair) == 0 {
		return a.nameLen == b.nameLen && string(d.rawName(a)) == string(d.rawName(b))
	}
	return d.isNamed(a, d.nameOf(b))
}

func (d *Document) hashName(n *node) uint64 {
	raw := d.rawName(n)
	if n.flags&(nameEscaped|nameRepair) == 0 {
		return maphash.Bytes(nameSeed, raw)
	}
	var buffer [128]byte
	return maphash.Bytes(nameSeed, appendDecoded(buffer[:0], raw))
}
